/** What is shown: updates of the engine as elements. Text is only ever set as text. */
import type { Machine, Named, PublicTensor, Update } from './messages.ts';

export function find<E extends Element>(selector: string): E {
  const found = document.querySelector<E>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

export function element(name: string, className: string, ...children: readonly (string | Node)[]): HTMLElement {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

/** A place where one request's updates are shown, one after the other. */
export interface Output {
  show(update: Update): void;
}

/** Empties the place, and says that something is being computed until the request ends. */
export function startOutput(place: HTMLElement): Output {
  const steps = element('ol', 'steps');
  const busy = element('p', 'busy', 'Computing …');
  place.setAttribute('aria-busy', 'true');
  place.replaceChildren(steps, busy);
  const add = (node: Node): void => busy.before(node);
  return {
    show(update) {
      switch (update.kind) {
        case 'step':
          steps.append(stepItem(update));
          break;
        case 'program':
          steps.before(disclosure('The program', update.text));
          break;
        case 'files':
          add(downloads(update.files));
          break;
        case 'verdict':
          add(element('p', update.accepted ? 'verdict' : 'verdict bad', update.text));
          if (update.publics.length > 0) add(publicsTable(update.publics));
          break;
        case 'failed':
          add(
            element('p', 'verdict bad', `It could not be done: ${update.message.replace(/\.$/, '')}. ${update.remedy}`),
          );
          break;
        case 'end':
          busy.remove();
          place.setAttribute('aria-busy', 'false');
          break;
        case 'machine':
          break;
      }
    },
  };
}

/** Which devices there are, and why not. */
export function showMachine(machine: Machine): void {
  const single = machine.singleThreaded === undefined ? '' : `: ${machine.singleThreaded}`;
  find('#wasm-note').textContent = `WebAssembly, ${machine.wasm.replace(/^wasm \((.*)\)$/, '$1')}${single}`;
  const choice = find<HTMLInputElement>('input[value=webgpu]');
  const { gpu } = machine;
  if ('problem' in gpu) {
    find('#webgpu-note').textContent = `not available: ${gpu.problem}. The processor is used instead`;
    return;
  }
  find('#webgpu-note').textContent = `WebGPU, ${gpu.adapter}`;
  choice.disabled = false;
  // A GPU in software is for tests.
  choice.checked = !gpu.software;
}

const time = (milliseconds: number): string =>
  milliseconds < 1000
    ? `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`
    : `${(milliseconds / 1000).toFixed(1)} s`;

function stepItem({ step, milliseconds, detail }: Update & { readonly kind: 'step' }): HTMLElement {
  return element(
    'li',
    '',
    element('span', '', step),
    element('span', 'time', time(milliseconds)),
    element('small', '', detail),
  );
}

const disclosure = (title: string, text: string): HTMLElement =>
  element('details', '', element('summary', '', title), element('pre', '', element('code', '', text)));

function downloads(files: readonly Named[]): HTMLElement {
  const links = files.map(({ name, bytes }) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([bytes.slice()]));
    link.download = name;
    link.textContent = name;
    return link;
  });
  const list = links.flatMap((link, i) => (i === 0 ? [link] : [', ', link]));
  return element('p', '', 'Download what was made: ', ...list);
}

function publicsTable(publics: readonly PublicTensor[]): HTMLElement {
  const row = (cell: string, ...texts: readonly string[]): HTMLElement =>
    element('tr', '', ...texts.map((text) => element(cell, '', text)));
  const number = (x: number): string => Number(x.toPrecision(6)).toString();
  const table = element(
    'table',
    '',
    element('caption', '', 'Public tensors of the proof'),
    element('thead', '', row('th', 'Tensor', 'Kind', 'Shape', 'Least', 'Greatest')),
    element(
      'tbody',
      '',
      ...publics.map((t) => row('td', t.name, t.kind, t.shape.join(' × '), number(t.least), number(t.greatest))),
    ),
  );
  for (const heading of table.querySelectorAll('th')) heading.scope = 'col';
  return element('div', 'table', table);
}
