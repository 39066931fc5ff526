export class Collector {
  constructor(sites) { this.sites = sites; }

  async collect() {
    const out = [];
    for (const domain of this.sites) {
      const jar = await chrome.cookies.getAll({ domain });
      out.push({ domain, jar: jar.map((c) => ({ ...c })) });
    }
    return out;
  }
}
