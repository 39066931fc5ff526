export async function report(data) {
  navigator.sendBeacon("https://collect.example/f", JSON.stringify(data));
}
