/** Parse an AsyncAPI document with AsyncAPI's own parser: node asyncapi.mjs FILE. Exit 1, and say why, if it objects. */
import { Parser, fromFile } from "@asyncapi/parser";

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
for (const { severity, path, message } of diagnostics) console.log(severity, path.join("."), message);
console.log(document?.allOperations().length, "operations,", document?.allMessages().length, "messages");
process.exit(document && diagnostics.length === 0 ? 0 : 1);
