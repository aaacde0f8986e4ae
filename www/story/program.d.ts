/** Text programs are bundled as text. */
declare module "*.wat" {
  const text: string;
  export default text;
}
