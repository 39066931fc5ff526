const original = window.fetch;

window.fetch = async function (resource, init) {
  const answer = await original.call(this, resource, init);
  if (String(resource).includes("/conversation")) document.documentElement.dataset.turns = (await answer.clone().text()).length;
  return answer;
};
