import type { PersonFacts } from '../../people/person-input.ts';
import type { GalleryAnswers, PersonRecord, SampleRecord } from '../../people/service/calls.ts';
import type { Person, PersonDetail } from '../../protocol/local-api/people.ts';
import { ApexError } from '../../system/errors.ts';
import { maySee } from '../access/visitor.ts';
import type { LocalBox } from '../local-box.ts';
import type { Call, Handlers } from './handlers.ts';
import { ApiProblem } from './problem.ts';

type Keys =
  | 'GET /api/people'
  | 'POST /api/people'
  | 'GET /api/people/:person_id'
  | 'PATCH /api/people/:person_id'
  | 'DELETE /api/people/:person_id'
  | 'POST /api/people/:person_id/faces'
  | 'POST /api/people/:person_id/faces/from_event'
  | 'DELETE /api/people/:person_id/faces/:sample_id'
  | 'GET /api/people/:person_id/faces/:sample_id/photo.jpg';

type Box = Pick<LocalBox, 'people' | 'journal'>;

/** People whom the box recognises. */
export function peopleHandlers(box: Box): Handlers<Keys> {
  return { ...recordHandlers(box), ...faceHandlers(box) };
}

function recordHandlers({ people }: Box) {
  return {
    'GET /api/people': async () => {
      const all = await people.call<'list'>({ op: 'list' });
      return { people: all.map(personOf) };
    },
    'POST /api/people': async ({ body }: Call<'POST /api/people'>) => {
      const facts = { ...NOTHING_KNOWN, ...factsOf(body), name: body.name };
      return detailOf(await people.call<'add'>({ op: 'add', facts }));
    },
    'GET /api/people/:person_id': async ({ path }: Call<'GET /api/people/:person_id'>) =>
      detailOf(await people.call<'one'>({ op: 'one', personId: path.person_id })),
    'PATCH /api/people/:person_id': async ({
      path,
      body,
    }: Call<'PATCH /api/people/:person_id'>) => {
      const change = factsOf(body);
      const personId = path.person_id;
      return detailOf(await people.call<'change'>({ op: 'change', personId, change }));
    },
    'DELETE /api/people/:person_id': async ({ path }: Call<'DELETE /api/people/:person_id'>) => {
      const { rows, faces, pictures } = await people.forget(path.person_id);
      return { rows, faces, pictures };
    },
  };
}

function faceHandlers({ people, journal }: Box) {
  type OneFace = Call<'DELETE /api/people/:person_id/faces/:sample_id'>;
  return {
    'POST /api/people/:person_id/faces': async ({
      path,
      query,
      body,
    }: Call<'POST /api/people/:person_id/faces'>) =>
      enrolledOf(
        await people.call<'enrol'>({
          ...{ op: 'enrol', personId: path.person_id, image: body },
          ...{ kind: query.kind, origin: query.origin },
          largest: query.largest === 'true',
          keepPhoto: query.keep_photo === 'true',
        }),
      ),
    'POST /api/people/:person_id/faces/from_event': async ({
      path,
      body,
      visitor,
    }: Call<'POST /api/people/:person_id/faces/from_event'>) => {
      const { event_id: eventId, kind } = body;
      const event = await journal.history.one(eventId);
      const isSeen = event !== null && maySee(visitor, event.camera_id);
      const image = isSeen ? await people.faceOfEvent(event.camera_id, eventId) : null;
      if (image === null)
        throw new ApexError('PEOPLE_EVENT_WITHOUT_FACE', `no face is kept of event ${eventId}`);
      const how = { kind, largest: true, keepPhoto: true, origin: eventId };
      const personId = path.person_id;
      return enrolledOf(await people.call<'enrol'>({ op: 'enrol', personId, image, ...how }));
    },
    'DELETE /api/people/:person_id/faces/:sample_id': async ({
      path,
    }: OneFace): Promise<undefined> => {
      const { person_id: personId, sample_id: sampleId } = path;
      if (!(await people.call<'removeSample'>({ op: 'removeSample', personId, sampleId })))
        throw new ApiProblem('not_found');
    },
    'GET /api/people/:person_id/faces/:sample_id/photo.jpg': async ({
      path,
      reply,
    }: Call<'GET /api/people/:person_id/faces/:sample_id/photo.jpg'>) => {
      const { person_id: personId, sample_id: sampleId } = path;
      const photo = await people.call<'photo'>({ op: 'photo', personId, sampleId });
      if (photo === null) throw new ApiProblem('not_found', { detail: 'no photo is kept' });
      return reply.type('image/jpeg').send(Buffer.from(photo));
    },
  };
}

const NOTHING_KNOWN: Omit<PersonFacts, 'name'> = {
  role: '',
  threatLevel: 'safe',
  notes: '',
  consentDate: null,
  expiryDate: null,
};

/** What was told, and nothing else. */
function factsOf(body: Call<'PATCH /api/people/:person_id'>['body']): Partial<PersonFacts> {
  const { name, role, notes } = body;
  const { threat_level: threatLevel, consent_date, expiry_date } = body;
  const facts = {
    name,
    role,
    notes,
    threatLevel,
    consentDate: consent_date,
    expiryDate: expiry_date,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

function personOf({ samples, ...person }: PersonRecord): Person {
  const count = (kind: SampleRecord['kind']) => samples.filter((each) => each.kind === kind).length;
  return {
    person_id: person.personId,
    name: person.name,
    role: person.role,
    threat_level: person.threatLevel,
    notes: person.notes,
    consent_date: person.consentDate,
    expiry_date: person.expiryDate,
    created_at: person.createdMs,
    changed_at: person.changedMs,
    positives: count('positive'),
    negatives: count('negative'),
  };
}

function detailOf(record: PersonRecord): PersonDetail {
  const samples = record.samples.map((sample) => ({
    sample_id: sample.sampleId,
    kind: sample.kind,
    embedding_model: sample.embeddingModel,
    quality: sample.quality,
    origin: sample.origin,
    has_photo: sample.hasPhoto,
    created_at: sample.createdMs,
  }));
  return { ...personOf(record), samples };
}

function enrolledOf({ person, face }: GalleryAnswers['enrol']) {
  const warnings = face.warnings.map(({ kind, cosine, other }) => ({
    kind,
    cosine,
    other: other && { person_id: other.personId, name: other.name },
  }));
  return { person: detailOf(person), sample_id: face.sampleId, warnings };
}
