// The hunt on the Node library esl. node hunt.mjs PORT FILE; records are lines of JSON in the file.
import { createWriteStream } from 'node:fs'
import { FreeSwitchServer } from 'esl'

const [port, file] = process.argv.slice(2)
const book = createWriteStream(file)
const members = ['test002', 'test006', 'test007']
const events = ['CHANNEL_CREATE', 'CHANNEL_PROGRESS', 'CHANNEL_PROGRESS_MEDIA', 'CHANNEL_ANSWER',
  'CHANNEL_BRIDGE', 'CHANNEL_HANGUP_COMPLETE', 'BACKGROUND_JOB']

function originate(caller, number, member) {
  const claim = `limit:hash hunt ${caller} 1 !LOSE_RACE,unset:hunt_call,` +
    `set:x=\${hupall(LOSE_RACE hunt_call ${caller})},intercept:${caller}`
  return `originate {hunt_call=${caller},originate_timeout=30,ignore_early_media=true,` +
    `hangup_after_bridge=true,intercept_unbridged_only=true,` +
    `origination_caller_id_number=${number}}user/${member} '${claim}' inline`
}

const server = new FreeSwitchServer({ all_events: false, my_events: false })
server.on('connection', async (call, { uuid }) => {
  const began = Date.now()
  let answeredBy = ''
  call.on('CHANNEL_BRIDGE', ({ body }) => { answeredBy = body['Other-Leg-Unique-ID'] })
  call.on('CHANNEL_HANGUP_COMPLETE', ({ body }) => {
    if (body['Unique-ID'] !== uuid) return
    book.write(JSON.stringify({ uuid, began, ended: Date.now(), answeredBy, cause: body['Hangup-Cause'] }) + '\n')
    call.exit().catch(() => {})
  })
  try {
    await call.send('linger 5')
    await call.event_json(...events)
    await call.filter('Unique-ID', uuid)
    await call.filter('variable_hunt_call', uuid)
    await call.filter('Job-Owner-UUID', uuid)
    for (const member of members) await call.send('bgapi ' + originate(uuid, '+48600100200', member))
  } catch (error) {
    if (!String(error).includes('closed')) console.error(error)
  }
})
server.on('error', () => {})
await server.listen({ host: '127.0.0.1', port: Number(port) })
