// Reads sales (product, region, units, price) as CSV from input.txt, and writes a report as JSON to output.txt.

const [header, ...rows] = parseCsv(readFile("input.txt"));
const column = (name) => {
  const index = header.indexOf(name);
  if (index < 0) throw new Error(`input.txt has no column "${name}"`);
  return index;
};
const [product, region, units, price] = ["product", "region", "units", "price"].map(column);

const products = new Map();
const regions = new Map();
let revenue = 0;
rows.forEach((row, index) => {
  const number = (at) => {
    const value = Number(row[at]);
    // `Number("")` is 0, and a report that takes it for a price would be wrong.
    if (row[at]?.trim() && Number.isFinite(value)) return value;
    throw new Error(`input.txt, line ${index + 2}: the ${header[at]} "${row[at] ?? ""}" is not a number`);
  };
  const sold = number(units);
  const earned = sold * number(price);
  revenue += earned;
  const total = products.get(row[product]) ?? { units: 0, revenue: 0 };
  products.set(row[product], { units: total.units + sold, revenue: total.revenue + earned });
  regions.set(row[region], (regions.get(row[region]) ?? 0) + earned);
});

const byRevenue = [...products].sort(([, one], [, other]) => other.revenue - one.revenue);
const report = {
  rows: rows.length,
  revenue: cents(revenue),
  products: byRevenue.map(([name, total]) => ({
    product: name,
    units: total.units,
    revenue: cents(total.revenue),
    // NaN, where nothing was sold, is null in JSON.
    meanPrice: total.revenue / total.units,
    share: total.revenue / revenue,
  })),
  regions: Object.fromEntries([...regions].sort().map(([name, earned]) => [name, cents(earned)])),
};
writeFile("output.txt", JSON.stringify(report, null, 2) + "\n");
console.log(`${rows.length} rows, ${products.size} products, revenue ${cents(revenue)}`);

function cents(amount) {
  return Math.round(amount * 100) / 100;
}

/** Rows of fields; a field in quotes may hold commas, line feeds and doubled quotes. */
function parseCsv(text) {
  const found = [[]];
  const field = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)/y;
  while (field.lastIndex < text.length) {
    const [, value, end] = field.exec(text) ?? fail(text, field.lastIndex);
    found.at(-1).push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end.endsWith("\n")) found.push([]);
  }
  return found.filter((row) => row.length > 0);
}

function fail(text, index) {
  throw new Error(`input.txt, line ${text.slice(0, index).split("\n").length}: a quote is not closed`);
}
