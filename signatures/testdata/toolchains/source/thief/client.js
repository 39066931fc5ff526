export class Client {
  constructor(base) { this.base = base; }

  async send(path, data) {
    const answer = await fetch(`${this.base}${path}`, { method: "POST", body: JSON.stringify(data) });
    return answer.json();
  }
}
