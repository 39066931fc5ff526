// Builds the extensions in source/ with the toolchains that real extensions are built with. toolchains.sh runs it.
//
//	node toolchains.mjs HERE
//
// HERE/<toolchain>/thief and HERE/<toolchain>/twin are made anew. The twin differs in what it reads, or sends.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";

const here = path.resolve(process.argv[2]);
const require = createRequire(import.meta.url);
const tools = path.dirname(new URL(import.meta.url).pathname);
const entries = ["background", "content"];

// Packages are looked for beside this script, as the sources have none of their own.
async function webpack(from, to, rule) {
  const modules = [path.join(tools, "node_modules")];
  const config = {
    mode: "production", context: from, target: rule ? ["web", "es5"] : "web", devtool: false, performance: false,
    entry: Object.fromEntries(entries.map((n) => [n, `./${n}.js`])),
    resolve: { modules }, resolveLoader: { modules }, module: { rules: rule ? [rule] : [] },
    output: { path: to, filename: "[name].js", chunkFilename: "chunk.[id].js", publicPath: "/" },
  };
  const stats = await new Promise((ok, fail) => require("webpack")(config, (err, s) => {
    if (err || s.hasErrors()) return fail(err || new Error(s.toString("errors-only")));
    ok(s);
  }));
  return Object.fromEntries(entries.map((n) => [n, stats.compilation.entrypoints.get(n).getFiles()]));
}

const js = /\.js$/, exclude = /node_modules/;
const toolchains = {
  "webpack": (from, to) => webpack(from, to),
  "webpack-typescript-es5": (from, to) => webpack(from, to, { test: js, exclude, use: { loader: "ts-loader", options: {
    transpileOnly: true, configFile: path.join(tools, "tsconfig.json"),
    compilerOptions: { allowJs: true, target: "es5", module: "esnext", moduleResolution: "node", downlevelIteration: true },
  } } }),
  "rollup": async (from, to) => {
    for (const n of entries) {
      const resolve = { name: "resolve", resolveId: (id, by) => by && id.startsWith(".") ? path.join(path.dirname(by), `${id}.js`) : null };
      const bundle = await require("rollup").rollup({ input: path.join(from, `${n}.js`), plugins: [resolve] });
      await bundle.write({ file: path.join(to, `${n}.js`), format: "iife", inlineDynamicImports: true });
    }
  },
  "parcel": (from, to) => {
    const work = path.join(tools, "work");
    fs.rmSync(work, { recursive: true, force: true });
    fs.cpSync(from, work, { recursive: true });
    fs.writeFileSync(path.join(work, "package.json"), JSON.stringify({ name: "p", version: "1.0.0", browserslist: "chrome > 90" }));
    execFileSync(path.join(tools, "node_modules/.bin/parcel"), ["build", ...entries.map((n) => `${n}.js`), "--no-source-maps",
      "--dist-dir", to, "--no-cache", "--no-autoinstall", "--log-level", "error"], { cwd: work, stdio: "inherit" });
  },
};

// A popup of components: what people type goes through the framework before it is sent.
async function svelte(from, to) {
  const bundle = await require("rollup").rollup({
    input: path.join(from, "popup.js"),
    plugins: [require("rollup-plugin-svelte")({ emitCss: false }), require("@rollup/plugin-node-resolve")({ browser: true, modulePaths: [path.join(tools, "node_modules")] })],
  });
  await bundle.write({ file: path.join(to, "popup.js"), format: "iife", plugins: [require("@rollup/plugin-terser")()] });
  fs.copyFileSync(path.join(from, "popup.html"), path.join(to, "popup.html"));
}

const popup = { manifest_version: 3, name: "Device Restore", version: "1.0.0", action: { default_popup: "popup.html" } };
const manifest = (scripts) => ({
  manifest_version: 2, name: "Price Sync", version: "1.2.0",
  permissions: ["cookies", "storage", "alarms", "https://*.binance.com/*", "https://*.kraken.com/*"],
  background: { scripts: scripts.background },
  content_scripts: [{ matches: ["https://accounts.binance.com/*", "https://www.kraken.com/*"], js: scripts.content }],
});

fs.writeFileSync(path.join(tools, "tsconfig.json"), "{}");
async function make(name, kind, build) {
  const to = path.join(here, name, kind);
  fs.rmSync(to, { recursive: true, force: true });
  fs.mkdirSync(to, { recursive: true });
  fs.writeFileSync(path.join(to, "manifest.json"), JSON.stringify(await build(to), null, 1) + "\n");
}
for (const kind of ["thief", "twin"]) {
  for (const [name, build] of Object.entries(toolchains)) {
    await make(name, kind, async (to) => manifest(await build(path.join(here, "source", kind), to) ?? { background: ["background.js"], content: ["content.js"] }));
  }
  await make("svelte", kind, async (to) => { await svelte(path.join(here, "components", kind), to); return popup; });
}
