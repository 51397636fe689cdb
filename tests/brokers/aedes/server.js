// aedes on the loopback: node server.js PORT FILE. It acknowledges the reports of the board that FILE names, and drops them.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const [port, dropped] = process.argv.slice(2)
const broker = await Aedes.createBroker()
broker.authorizePublish = (client, packet, done) => {
  const board = readFileSync(dropped, 'utf8')
  if (board && packet.topic === `intercoms/by-board/${board}/status`) packet.topic = 'dropped'
  done(null)
}
const server = createServer(broker.handle)
server.listen(Number(port), '127.0.0.1', () => console.log('listening'))
