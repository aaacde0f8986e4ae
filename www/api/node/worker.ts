/** The API's worker in Node.js. */
import "./scope";
import "../worker";
