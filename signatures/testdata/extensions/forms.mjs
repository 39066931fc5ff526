// Makes bundled, minified and obfuscated forms of the test extensions. forms.sh runs it.
//
//	node forms.mjs EXTENSIONS OUT
//
// OUT/<technique>/<form> is a thief, OUT/<technique>/twin-<form> its honest twin. Twins are not obfuscated: honest
// makers do not do that, the stores forbid it.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import esbuild from "esbuild";
import webpack from "webpack";
import TerserPlugin from "terser-webpack-plugin";
import obfuscator from "javascript-obfuscator";

const [, , source, out] = process.argv;

// The same bytes on every run: people read the differences.
const seed = 1;

// A helper in a second file, so that the bundlers have something to bundle.
const helper = "export const version = '1.0.0';\nexport function mark(name) { globalThis[name] = version; }\n";

// asModule writes the script as a module that imports the helper, as projects with a bundler are written.
function asModule(file) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "forms-"));
  fs.writeFileSync(path.join(folder, "helper.js"), helper);
  const entry = path.join(folder, path.basename(file));
  fs.writeFileSync(entry, `import {mark} from "./helper.js";\nmark("__form");\n${fs.readFileSync(file, "utf8")}`);
  return {folder, entry};
}

async function bundled(file) {
  const {folder, entry} = asModule(file);
  const result = await esbuild.build({entryPoints: [entry], bundle: true, minify: true, format: "iife", target: "es2020", write: false, legalComments: "none"});
  fs.rmSync(folder, {recursive: true});
  return result.outputFiles[0].text;
}

function packed(file) {
  const {folder, entry} = asModule(file);
  const config = {
    mode: "production", entry, context: folder, target: "web", devtool: false,
    // The modules stay apart, in webpack's own wrapper.
    optimization: {concatenateModules: false, minimizer: [new TerserPlugin({extractComments: false})]},
    output: {path: folder, filename: "out.js"},
  };
  return new Promise((resolve, reject) => webpack(config, (err, stats) => {
    if (err || stats.hasErrors()) return reject(err || new Error(stats.toString("errors-only")));
    const text = fs.readFileSync(path.join(folder, "out.js"), "utf8");
    fs.rmSync(folder, {recursive: true});
    resolve(text);
  }));
}

const obfuscated = (preset) => (file) => obfuscator.obfuscate(fs.readFileSync(file, "utf8"), {
  optionsPreset: preset, seed,
  debugProtection: false, // it would hang the browser of whoever tries it
}).getObfuscatedCode();

const forms = {
  "esbuild": bundled,
  "webpack": packed,
  "obfuscated-medium": obfuscated("medium-obfuscation"),
  "obfuscated-high": obfuscated("high-obfuscation"),
};

fs.rmSync(out, {recursive: true, force: true});
for (const technique of fs.readdirSync(source).sort()) {
  if (!fs.statSync(path.join(source, technique)).isDirectory()) continue;
  for (const kind of ["thief", "twin"]) {
    for (const [form, make] of Object.entries(forms)) {
      if (kind === "twin" && form.startsWith("obfuscated")) continue;
      const from = path.join(source, technique, kind);
      const to = path.join(out, technique, kind === "twin" ? `twin-${form}` : form);
      fs.mkdirSync(to, {recursive: true});
      for (const name of fs.readdirSync(from)) {
        const file = path.join(from, name);
        if (name.endsWith(".js")) fs.writeFileSync(path.join(to, name), await make(file));
        else fs.copyFileSync(file, path.join(to, name));
      }
    }
  }
}
