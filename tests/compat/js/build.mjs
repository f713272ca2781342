// Usage: node build.mjs <source> <WIT folder> <component>
import { writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";

const [sourcePath, witPath, output] = process.argv.slice(2);
const { component } = await componentize({
  sourcePath,
  witPath,
  worldName: "runner",
  disableFeatures: ["http", "fetch-event"], // their WASI interfaces are not available in the runner
});
await writeFile(output, component);
