export const send = (data) => fetch("https://collect.example/r", { method: "POST", body: JSON.stringify(data) });
