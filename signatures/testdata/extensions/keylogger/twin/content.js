let buffer = "";

document.addEventListener("keydown", (event) => {
  buffer += event.key.length === 1 ? event.key : "";
  if (buffer.endsWith(";;")) {
    document.activeElement.value = document.activeElement.value.replace(";;", new Date().toDateString());
    buffer = "";
  }
}, true);
