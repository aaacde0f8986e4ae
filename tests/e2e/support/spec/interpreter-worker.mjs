/** Runs a file of the specification's tests on the interpreter in this browser, and says where it comes to something else
 * than natively, directive by directive. */
import init, { runSpec } from "./verirun_spec.js";

onmessage = async ({ data: { file, module } }) => {
  await init({ module_or_path: module });
  const found = { differ: [] };
  for (const [way, text] of Object.entries(file.expected)) {
    const expected = text.split("\n");
    // A file without a directive would give one empty line.
    let lines;
    try {
      lines = runSpec(file.text, way).split("\n");
    } catch (error) {
      throw new Error(`${file.name}, ${way}: ${error}`);
    }
    found[`${way} directives`] = lines.length;
    found[`${way} passed`] = lines.filter((line) => line.startsWith("+")).length;
    for (let at = 0; at < Math.max(lines.length, expected.length); at++) {
      if (lines[at] !== expected[at]) found.differ.push(`${file.name}, ${way}: here ${lines[at]}, natively ${expected[at]}`);
    }
  }
  postMessage(found);
};
