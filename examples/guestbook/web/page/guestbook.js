"use strict";

const form = document.querySelector("form");
const list = document.querySelector(".entries");
const problem = document.querySelector(".problem");

const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });

const item = (entry) => {
  const li = document.createElement("li");
  const time = new Date(entry.time * 1000).toLocaleString();
  li.append(element("p", entry.text), element("footer", `${entry.name} · ${time}`));
  return li;
};

const call = async (options) => {
  const response = await fetch("api/entries", options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `the server answered ${response.status}`);
  return answer;
};

const attempt = async (work) => {
  try {
    await work();
    problem.hidden = true;
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
};

const refresh = () =>
  attempt(async () => {
    const answer = await call();
    list.replaceChildren(...answer.entries.map(item));
    document.querySelector(".empty").hidden = answer.entries.length > 0;
    document.querySelector(".pod").textContent = `${answer.pod}, version ${answer.version}`;
  });

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  await attempt(async () => {
    const entry = Object.fromEntries(new FormData(form));
    await call({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(entry) });
    form.elements.text.value = "";
  });
  button.disabled = false;
  if (problem.hidden) await refresh();
});

refresh();
setInterval(refresh, 5000);
