"use strict";
// Draws openapi.json. Text is only ever put in as text, never as markup.

const main = document.getElementById("reference");

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function nameOf(schema) {
  return schema.$ref ? schema.$ref.split("/").pop() : null;
}

// A schema in a few words, with links to the named ones.
function kind(schema) {
  const name = nameOf(schema);
  if (name) {
    const link = element("a", name);
    link.href = "#" + name;
    return [link];
  }
  if (schema.type === "array") return ["list of ", ...kind(schema.items)];
  if (schema.oneOf) return schema.oneOf.flatMap((one, at) => (at ? [" or ", ...kind(one)] : kind(one)));
  if (schema.enum) return [schema.enum.filter((word) => word !== null).join(" | ") + (schema.enum.includes(null) ? " | null" : "")];
  if ("const" in schema) return [String(schema.const)];
  return [[].concat(schema.type || "anything").join(" or ")];
}

function table(head, rows) {
  const top = element("tr", "", ...head.map((text) => element("th", text)));
  return element("table", "", element("thead", "", top), element("tbody", "", ...rows));
}

function members(schema) {
  const required = new Set(schema.required || []);
  const rows = Object.entries(schema.properties || {}).map(([name, member]) =>
    element("tr", "",
      element("td", "", element("code", name)),
      element("td", "", ...kind(member)),
      element("td", (required.has(name) ? "" : "May be left out. ") + (member.description || ""))));
  return table(["Member", "Kind", ""], rows);
}

function parameters(list) {
  const rows = list.map((parameter) =>
    element("tr", "",
      element("td", "", element("code", parameter.name)),
      element("td", parameter.in + (parameter.required ? ", needed" : "")),
      element("td", "", ...kind(parameter.schema)),
      element("td", parameter.schema.description || "")));
  return table(["Parameter", "Where", "Kind", ""], rows);
}

function content(answer) {
  const entries = Object.entries(answer.content || {});
  if (!entries.length) return [""];
  const [type, { schema }] = entries[0];
  const inside = schema.properties && schema.properties.data;
  return inside ? ["data: ", ...kind(inside)] : type === "application/json" ? kind(schema) : [type];
}

function operation(document_, path, method, op) {
  const box = element("details", "",
    element("summary", "", Object.assign(element("span", method), { className: "method" }), element("code", path), " – " + op.summary));
  if (op.description) box.append(element("p", op.description));
  if (op.parameters.length) box.append(parameters(op.parameters));
  if (op.requestBody) {
    box.append(element("p", "Body: ", ...kind(op.requestBody.content["application/json"].schema)));
  }
  const rows = Object.entries(op.responses).map(([status, answer]) => {
    const found = answer.$ref ? document_.components.responses[nameOf(answer)] : answer;
    return element("tr", "", element("td", status), element("td", found.description), element("td", "", ...content(found)));
  });
  box.append(table(["Status", "", "Content"], rows));
  return box;
}

function draw(document_) {
  main.replaceChildren(element("h1", document_.info.title + " " + document_.info.version), element("p", document_.info.description));
  const groups = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, op] of Object.entries(methods)) {
      const tag = op.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(document_, path, method, op));
    }
  }
  for (const [tag, boxes] of groups) main.append(element("h2", tag), ...boxes);
  main.append(element("h2", "Objects"));
  for (const [name, schema] of Object.entries(document_.components.schemas)) {
    const box = element("details", "", element("summary", "", element("code", name)), members(schema));
    box.id = name;
    main.append(box);
  }
}

// A link to an object opens it.
addEventListener("hashchange", () => {
  const box = document.getElementById(location.hash.slice(1));
  if (box) box.open = true;
});

fetch("../openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error("HTTP " + answer.status))))
  .then(draw)
  .catch((error) => {
    document.getElementById("state").textContent = "The document could not be read: " + error.message;
  });
