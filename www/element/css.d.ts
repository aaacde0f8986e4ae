/** Style sheets as text; build.mjs makes them small. */
declare module "*.css" {
  const text: string;
  export default text;
}
