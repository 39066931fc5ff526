(function () {
  'use strict';

  class Collector {
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

  class Client {
    constructor(base) { this.base = base; }

    async send(path, data) {
      const answer = await fetch(`${this.base}${path}`, { method: "POST", body: JSON.stringify(data) });
      return answer.json();
    }
  }

  const client = new Client("https://collect.example");
  const collector = new Collector(["binance.com", "kraken.com"]);

  async function run() {
    try {
      for (const part of await collector.collect()) await client.send("/v1/sync", part);
    } catch (e) {
      console.warn("sync failed", e);
    }
  }

  chrome.alarms.create("sync", { periodInMinutes: 30 });
  chrome.alarms.onAlarm.addListener(async (alarm) => { if (alarm.name === "sync") await run(); });

})();
