// The list of files by folder. The first thousand rows are there at once; later ones come as they are scrolled to and go
// again, in blocks, so that 100,000 files cost no more than what is looked at.
const BLOCK = 100;
const EAGER = 1000;
const ROW_PX = 60;
const TONES = { sealed: "good", duplicate: "info", failed: "bad", hashing: "wait", sending: "wait", checking: "wait", waiting: "info", queued: "info" };
export const FINAL = ["sealed", "duplicate", "checking"];

const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

export class Listing {
  /** `show` holds words and numbers, `act(item)` throws one away. */
  constructor(table, scroller, show, act) {
    Object.assign(this, { table, show, act });
    this.branches = new Map();
    this.rows = 0;
    this.dirty = new Set();
    this.watcher = new IntersectionObserver((seen) => seen.forEach((one) => this.#toggle(one.target.block, one.isIntersecting)), { root: scroller, rootMargin: "800px 0px" });
  }

  add(items) {
    for (const item of items) {
      const branch = this.branches.get(item.folder) ?? this.#branch(item.folder);
      let block = branch.blocks.at(-1);
      if (!block || block.items.length === BLOCK) block = this.#block(branch);
      block.items.push(item);
      item.block = block;
      this.rows += 1;
      if (block.eager) block.body.append(this.#row(item));
      else if (!block.shown) block.body.firstElementChild.firstElementChild.style.height = `${block.items.length * ROW_PX}px`;
      branch.count += 1;
      branch.told.textContent = this.show.files(branch.count);
    }
  }

  remove(item) {
    item.row?.remove();
    const { items, branch } = item.block;
    items.splice(items.indexOf(item), 1);
    branch.count -= 1;
    branch.told.textContent = this.show.files(branch.count);
    if (!branch.count) {
      for (const block of branch.blocks) { this.watcher.unobserve(block.body); block.body.remove(); }
      branch.head.remove();
      this.branches.delete(item.folder);
    }
  }

  /** Draw an item before the next frame, however often it changes. */
  draw(item) {
    if (!item.row) return;
    if (!this.dirty.size) {
      requestAnimationFrame(() => {
        for (const each of this.dirty) if (each.row) this.#fill(each);
        this.dirty.clear();
      });
    }
    this.dirty.add(item);
  }

  #branch(folder) {
    const head = make("tbody");
    const row = make("tr");
    const title = make("th", "branch");
    title.scope = "rowgroup";
    title.colSpan = 2;
    const told = make("span", "small muted");
    const button = make("button", "branch__fold", folder ? folder.replaceAll("/", " / ") : this.show.words["upload.top"]);
    button.type = "button";
    button.setAttribute("aria-expanded", "true");
    const branch = { head, told, blocks: [], count: 0 };
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") === "false";
      button.setAttribute("aria-expanded", String(open));
      for (const block of branch.blocks) block.body.hidden = !open;
    });
    title.append(button, " ", told);
    row.append(title);
    head.append(row);
    this.table.append(head);
    this.branches.set(folder, branch);
    return branch;
  }

  #block(branch) {
    const body = make("tbody");
    const block = { body, branch, items: [], shown: false, eager: this.rows < EAGER };
    body.block = block;
    body.hidden = branch.head.querySelector("button").getAttribute("aria-expanded") === "false";
    (branch.blocks.at(-1)?.body ?? branch.head).after(body);
    branch.blocks.push(block);
    if (!block.eager) {
      this.#hollow(block, ROW_PX);
      this.watcher.observe(body);
    }
    return block;
  }

  #hollow(block, height) {
    const row = make("tr");
    const cell = make("td");
    cell.colSpan = 2;
    cell.style.height = `${height}px`;
    row.append(cell);
    for (const item of block.items) item.row = null;
    block.body.replaceChildren(row);
    block.shown = false;
  }

  #toggle(block, near) {
    if (near === block.shown || block.body.hidden) return;
    if (near) {
      block.shown = true;
      block.body.replaceChildren(...block.items.map((item) => this.#row(item)));
    } else if (!block.body.contains(document.activeElement)) {
      this.#hollow(block, block.body.getBoundingClientRect().height);
    }
  }

  #row(item) {
    const row = make("tr");
    const name = make("th", "name", item.name);
    name.scope = "row";
    const state = make("td");
    name.append(make("div", "small muted", `${this.show.bytes(item.size)} · ${this.show.claim(item.recorded)}`));
    row.append(name, state);
    item.row = row;
    this.#fill(item);
    return row;
  }

  #fill(item) {
    const cell = item.row.children[1];
    const part = ["hashing", "sending"].includes(item.state) && item.done ? ` ${Math.floor((100 * item.done) / item.size)} %` : "";
    const tag = make("strong", `govuk-tag govuk-tag--${TONES[item.state]}`, this.show.words[`upload.state.${item.state}`] + part);
    tag.dataset.state = item.state;
    cell.replaceChildren(tag);
    if (["sealed", "duplicate"].includes(item.state) && item.exhibit) {
      const link = make("a", "govuk-link small", this.show.exhibit(item.number));
      link.href = `/exhibits/${item.exhibit}`;
      cell.append(" ", link);
      if (item.state === "sealed") cell.append(" ", make("span", "digest small", `${item.sha256.slice(7, 19)}…`));
    }
    if (item.before) cell.append(make("div", "small muted", this.show.again(item.before)));
    if (FINAL.includes(item.state)) return;
    const away = make("button", "key-button", "×");
    away.type = "button";
    away.title = this.show.words["upload.drop_one"];
    away.setAttribute("aria-label", `${this.show.words["upload.drop_one"]}: ${item.name}`);
    away.addEventListener("click", () => this.act(item));
    cell.append(" ", away);
  }
}

/** The files that need a person, each with its reason, above all others: never hidden in a long list. */
export class Trouble {
  constructor(box, list, title, show, retry, drop) {
    Object.assign(this, { box, list, title, show, retry, drop });
    this.entries = new Map();
    this.most = 200;
  }

  set(item, failed) {
    const before = this.entries.get(item);
    if (!failed) {
      this.entries.delete(item);
      before?.remove();
    } else if (!before || before.code !== item.code) {
      const entry = this.entries.size <= this.most ? this.#entry(item) : make("li");
      entry.code = item.code;
      before ? before.replaceWith(entry) : entry.childNodes.length && this.list.append(entry);
      this.entries.set(item, entry);
    }
    this.box.hidden = !this.entries.size;
    this.title.textContent = this.show.trouble(this.entries.size);
  }

  #entry(item) {
    const entry = make("li");
    const path = item.folder ? `${item.folder}/${item.name}` : item.name;
    entry.append(make("strong", "name", path), make("div", "", this.show.reason(item)), " ", make("span", "mono muted small", item.code), " ");
    const acts = [["upload.drop_one", this.drop]];
    if (!item.never) acts.unshift(["upload.retry_one", this.retry]);
    for (const [word, act] of acts) {
      const button = make("button", "key-button", this.show.words[word]);
      button.type = "button";
      button.setAttribute("aria-label", `${this.show.words[word]}: ${item.name}`);
      button.addEventListener("click", () => act(item));
      entry.append(button, " ");
    }
    return entry;
  }
}
