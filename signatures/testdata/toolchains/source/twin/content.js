document.addEventListener("submit", async (event) => {
  const { fields } = await import("./fields");
  const { report } = await import("./report");
  await report(fields(event.target));
}, true);
