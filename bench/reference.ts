/** What the figures are compared with: a bare Fastify that answers a JSON POST of the same shape and does nothing. */
import { VerifyAnswer, VerifyRequest } from "@sparekey/contract";
import { fastify } from "fastify";

const server = fastify();
server.post("/verify", { schema: { body: VerifyRequest, response: { 200: VerifyAnswer } } }, async () => ({
  accepted: true,
}));
server.get("/readyz", async () => ({ status: "ok" }));
await server.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
