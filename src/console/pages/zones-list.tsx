import type { Dispatch, ReactElement } from 'react';
import { Icon } from '../parts/icons.tsx';
import { type EditAction, type EditState, SECTIONS, type Section } from './zones-edit.ts';

const WORDS: Readonly<Record<Section, { one: string; hint: string }>> = {
  zones: { one: 'Zone', hint: 'rules can name it' },
  lines: { one: 'Line', hint: 'rules can ask who crosses it' },
  masks: { one: 'Object mask', hint: 'nothing is an object there' },
  privacy_masks: { one: 'Privacy mask', hint: 'black in every picture; the camera begins anew' },
};

/** The places of a camera by name. */
export function PlaceList({
  state,
  step,
}: {
  readonly state: EditState;
  readonly step: Dispatch<EditAction>;
}): ReactElement {
  const selected = state.places[state.selected];
  return (
    <>
      <ul className="places" aria-label="Places">
        {state.places.map(({ section, name }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two may have one name while they are typed
          <li key={index}>
            <button
              type="button"
              className={`place place-${section}`}
              aria-pressed={index === state.selected}
              onClick={() => step({ do: 'select', index })}
            >
              {name} <span className="quiet">{WORDS[section].one}</span>
            </button>
          </li>
        ))}
      </ul>
      {selected !== undefined && (
        <div className="form">
          <label>
            Name
            <input
              value={selected.name}
              onChange={({ target }) => step({ do: 'rename', name: target.value })}
            />
          </label>
          <p className="hint">
            {WORDS[selected.section].hint}. Points move with the mouse, by touch, or with the arrow
            keys (Shift: finer); Insert adds one behind, Delete removes it.
          </p>
          <button
            type="button"
            className="button button-danger"
            onClick={() => step({ do: 'remove' })}
          >
            <Icon name="trash" /> Remove {selected.name}
          </button>
        </div>
      )}
      <div className="actions">
        {SECTIONS.map((section) => (
          <button
            key={section}
            type="button"
            className="button"
            onClick={() => step({ do: 'add', section })}
          >
            <Icon name="plus" /> {WORDS[section].one}
          </button>
        ))}
      </div>
    </>
  );
}
