// Numbers as people read them in their language.
export function speaker(language) {
  const units = language === "en" ? ["B", "KiB", "MiB", "GiB", "TiB"] : ["Б", "КиБ", "МиБ", "ГиБ", "ТиБ"];
  // Not every browser knows Kazakh numbers; Russian ones are written the same.
  const known = language === "kk" ? ["kk", "ru"] : [language];
  const whole = new Intl.NumberFormat(known);
  const tenth = new Intl.NumberFormat(known, { maximumFractionDigits: 1 });
  const two = (n) => String(n).padStart(2, "0");
  const plural = new Intl.PluralRules(known);
  return {
    number: (value) => whole.format(value),
    bytes(value) {
      let unit = 0;
      while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
      return `${(unit ? tenth : whole).format(value)} ${units[unit]}`;
    },
    speed: (text) => `${text}/${language === "en" ? "s" : "с"}`,
    span(seconds) {
      const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds % 60)];
      return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
    },
    moment(ms) {
      const at = new Date(ms + 5 * 3_600_000);
      return `${two(at.getUTCDate())}.${two(at.getUTCMonth() + 1)}.${at.getUTCFullYear()} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} (UTC+5)`;
    },
    /** A sentence with `{name}` filled in; one with plural forms takes that of `count`. */
    say(entry, values = {}) {
      const text = typeof entry === "string" ? entry : entry[plural.select(values.count)] ?? entry.other;
      return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? whole.format(values[name]) : values[name] ?? "…"));
    },
  };
}
