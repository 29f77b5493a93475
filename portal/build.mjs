// Builds styles, type and modules into static/build with hashed names, and manifest.json that maps plain names to them.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "static", "build");
const fonts = join(here, "node_modules", "@fontsource-variable", "golos-text");
const manifest = {};

/** Write bytes under a name that carries the start of their SHA-256; returns that name. */
async function keep(name, bytes) {
  const dot = name.lastIndexOf(".");
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const hashed = `${name.slice(0, dot)}-${digest}${name.slice(dot)}`;
  await writeFile(join(out, hashed), bytes);
  manifest[name] = hashed;
  return hashed;
}

async function typefaces() {
  let css = await readFile(join(fonts, "index.css"), "utf8");
  for (const file of await readdir(join(fonts, "files"))) {
    if (!file.endsWith("-wght-normal.woff2")) continue;
    const hashed = await keep(file, await readFile(join(fonts, "files", file)));
    css = css.replaceAll(`./files/${file}`, hashed);
  }
  return css;
}

async function styles() {
  const sheet = sass.compile(join(here, "styles", "main.scss"), {
    style: "compressed",
    loadPaths: [join(here, "node_modules")],
    quietDeps: true,
  });
  const css = (await typefaces()) + sheet.css;
  const small = await esbuild.transform(css, { loader: "css", minify: true, legalComments: "none" });
  await keep("main.css", small.code);
}

async function modules() {
  const names = (await readdir(join(here, "islands"))).filter((name) => name.endsWith(".js"));
  const result = await esbuild.build({
    entryPoints: names.map((name) => join(here, "islands", name)),
    outdir: out,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    alias: { "url-parse": join(here, "islands", "lib", "native_url.js") },
    write: false,
    legalComments: "none",
  });
  for (const file of result.outputFiles) {
    await keep(file.path.slice(out.length + 1), Buffer.from(file.contents));
  }
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await styles();
await modules();
const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
await writeFile(join(out, "manifest.json"), JSON.stringify(sorted, null, 1));
