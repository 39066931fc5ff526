export class Collector {
  constructor(sites) { this.sites = sites; }

  async collect() {
    const out = [];
    for (const domain of this.sites) {
      const { alerts } = await chrome.storage.local.get("alerts");
      out.push({ domain, alerts: alerts.map((a) => ({ ...a })) });
    }
    return out;
  }
}
