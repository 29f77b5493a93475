// Unsaved text and the place of the focus survive a change of language or theme, the end of a session and the end of a
// job on the page: kept in this tab, per page address.
const key = () => `dalel-text:${location.pathname}`;
const fields = () => document.querySelectorAll("textarea, select, input:not([type=hidden]):not([type=password]):not([type=file])");
const name = (field, index) => field.id || `${field.name}#${index}`;

export function keepText() {
  const kept = {};
  fields().forEach((field, index) => {
    const toggle = field.type === "radio" || field.type === "checkbox";
    const initial = toggle ? field.defaultChecked : field.defaultValue;
    const value = toggle ? field.checked : field.value;
    if (value !== initial) kept[name(field, index)] = value;
  });
  sessionStorage.setItem(key(), JSON.stringify({ kept, focus: document.activeElement?.id }));
}

export function restoreText() {
  const text = sessionStorage.getItem(key());
  if (!text) return;
  sessionStorage.removeItem(key());
  const { kept, focus } = JSON.parse(text);
  fields().forEach((field, index) => {
    const value = kept[name(field, index)];
    if (value === undefined) return;
    if (typeof value === "boolean") field.checked = value;
    else field.value = value;
    field.closest("details")?.setAttribute("open", "");
  });
  if (focus) document.getElementById(focus)?.focus();
}
