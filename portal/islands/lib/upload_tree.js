// Files out of what a person chose or dropped, with the folders they lay in.
const AT_ONCE = 200;
const below = (folder, name) => (folder ? `${folder}/${name}` : name);

/** Files of an `<input>`. */
export const ofInput = (list) =>
  [...list].map((file) => ({ file, folder: file.webkitRelativePath.split("/").slice(0, -1).join("/") }));

/** Files below an entry of the old drop interface, in portions, so that a large folder is seen while it is read. */
export async function* ofEntry(entry, folder = "") {
  if (entry.isFile) {
    yield [{ file: await new Promise((ok, no) => entry.file(ok, no)), folder }];
    return;
  }
  const reader = entry.createReader();
  const path = below(folder, entry.name);
  const folders = [];
  for (;;) {
    const part = await new Promise((ok, no) => reader.readEntries(ok, no));
    if (!part.length) break;
    const files = part.filter((child) => child.isFile);
    folders.push(...part.filter((child) => child.isDirectory));
    if (files.length) yield await Promise.all(files.map((child) => new Promise((ok, no) => child.file((file) => ok({ file, folder: path }), no))));
  }
  for (const child of folders) yield* ofEntry(child, path);
}

/** Files below a handle that was kept when it was dropped. */
export async function* ofHandle(handle, folder = "") {
  if (handle.kind === "file") {
    yield [{ file: await handle.getFile(), folder }];
    return;
  }
  const path = below(folder, handle.name);
  const folders = [];
  let files = [];
  for await (const child of handle.values()) {
    if (child.kind === "directory") folders.push(child);
    else files.push({ file: await child.getFile(), folder: path });
    if (files.length === AT_ONCE) { yield files; files = []; }
  }
  if (files.length) yield files;
  for (const child of folders) yield* ofHandle(child, path);
}
