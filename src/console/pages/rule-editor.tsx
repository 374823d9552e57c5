import { type ReactElement, useId, useState } from 'react';
import { Icon } from '../parts/icons.tsx';
import {
  parsedOf,
  RULE_FIELDS,
  type Rule,
  type RuleField,
  textOf,
  withValue,
} from './rules-form.ts';

export interface RuleEditorProps {
  readonly name: string;
  readonly rule: Rule;
  /** By key. */
  readonly faults: Readonly<Record<string, string>>;
  readonly onChange: (rule: Rule) => void;
  readonly onRemove: () => void;
}

/** One rule, key by key. */
export function RuleEditor({
  name,
  rule,
  faults,
  onChange,
  onRemove,
}: RuleEditorProps): ReactElement {
  const isOn = rule.enabled !== false;
  return (
    <details>
      <summary>
        <strong>{name}</strong> <span className="quiet">{summaryOf(rule)}</span>
        {!isOn && <span className="badge">off</span>}
      </summary>
      <div className="rule-fields">
        {RULE_FIELDS.map((field) => (
          <Field
            key={field.key}
            {...{ field, fault: faults[field.key], text: textOf(field, rule[field.key]) }}
            onChange={(text) => onChange(withValue(rule, field, parsedOf(field, text)))}
          />
        ))}
      </div>
      <button type="button" className="button button-danger" onClick={onRemove}>
        <Icon name="trash" /> Remove {name}
      </button>
    </details>
  );
}

function summaryOf(rule: Rule): string {
  const parts = ['severity', 'labels', 'zones', 'lines', 'identity'].flatMap((key) => {
    const value = rule[key];
    return value === undefined || value === null
      ? []
      : [Array.isArray(value) ? value.join(', ') : String(value)];
  });
  return parts.join(' · ');
}

interface FieldProps {
  readonly field: RuleField;
  readonly text: string;
  readonly fault: string | undefined;
  readonly onChange: (text: string) => void;
}

function Field({ field, text, fault, onChange }: FieldProps): ReactElement {
  const id = useId();
  // As it is typed: what is read from it may be written otherwise.
  const [draft, setDraft] = useState(text);
  const put = (typed: string): void => {
    setDraft(typed);
    onChange(typed);
  };
  const faultId = `${id}-fault`;
  return (
    <div className="field">
      <label htmlFor={id}>{field.name}</label>
      <Control
        {...{ id, field, text: draft, onChange: put }}
        describedBy={fault === undefined ? undefined : faultId}
      />
      {field.hint !== '' && <span className="hint">{field.hint}</span>}
      {fault !== undefined && (
        <span id={faultId} className="field-fault">
          {fault}
        </span>
      )}
    </div>
  );
}

function Control({
  id,
  field: { kind, options = ['true', 'false'] },
  text,
  onChange,
  describedBy,
}: Omit<FieldProps, 'fault'> & {
  readonly id: string;
  readonly describedBy: string | undefined;
}): ReactElement {
  const common = {
    ...{ id, value: text, 'aria-describedby': describedBy },
    'aria-invalid': describedBy !== undefined,
  };
  if (kind === 'choice' || kind === 'flag')
    return (
      <select {...common} onChange={({ target }) => onChange(target.value)}>
        <option value="">{kind === 'flag' ? 'yes' : 'as usual'}</option>
        {options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    );
  if (kind === 'schedule')
    return <textarea rows={2} {...common} onChange={({ target }) => onChange(target.value)} />;
  return <input {...common} onChange={({ target }) => onChange(target.value)} />;
}
