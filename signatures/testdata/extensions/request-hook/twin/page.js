const original = window.fetch;

window.fetch = async function (resource, init) {
  const answer = await original.call(this, resource, init);
  if (String(resource).includes("/bapi/asset/")) document.title = "Fees " + (await answer.clone().json()).fee;
  return answer;
};
