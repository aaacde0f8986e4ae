/** What the element needs only once a task is run; a file of its own, loaded together with the API. */
export { readAttributes } from "./attributes";
export { FileList } from "./files";
export { Output } from "./output";
