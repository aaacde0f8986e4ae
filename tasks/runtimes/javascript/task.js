// A task in JavaScript. What it prints is its output, and so are the files that it writes.
const name = args[0] ?? "world";
console.log(`Hello, ${name}!`);

const squares = Array.from({ length: 5 }, (_, n) => n ** 2);
writeFile("squares.json", JSON.stringify(squares) + "\n");
console.log("squares.json:", readFile("squares.json").trim());

for (const line of stdin) console.log(`You typed: ${line}`);
