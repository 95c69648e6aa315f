import java.io.File
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import kotlin.system.exitProcess
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import okhttp3.Response
import okhttp3.WebSocket
import okhttp3.WebSocketListener
import org.json.JSONArray
import org.json.JSONObject

/** Runs the scripts of `test/conformance/` with OkHttp, and then the client of this folder: `ConformanceKt <url> <key> <scripts>`. */
fun main(arguments: Array<String>) {
  val url = arguments.getOrElse(0) { "http://localhost:8000" }
  val key = arguments.getOrElse(1) { "local-key" }
  val scripts = File(arguments.getOrElse(2) { "../../test/conformance" }).listFiles { file -> file.extension == "jsonl" }.orEmpty().sorted()
  var failed = if (scripts.isEmpty()) 1 else 0
  for (script in scripts) failed += if (succeeds(script.name) { Conformance(url, key).run(script) }) 0 else 1
  failed += if (succeeds("PushClient") { followsOverLosses(url, key) }) 0 else 1
  exitProcess(if (failed == 0) 0 else 1)
}

private fun succeeds(name: String, work: () -> Unit): Boolean = try {
  work()
  println("ok      $name")
  true
} catch (error: Exception) {
  println("failed  $name: ${error.message}")
  false
}

/** The client misses and doubles nothing, although its network goes after every third message. */
private fun followsOverLosses(url: String, key: String) {
  val conformance = Conformance(url, key)
  val seat = Random.nextInt(1, 1_000_000_000)
  val topic = "/topic/reservations/$seat/7"
  val got = LinkedBlockingQueue<Pair<String, Long>>()
  val client = PushClient(url, onGap = { got.add("gap" to 0L) }) { _, message ->
    got.add(message.getString("timestamp") to message.getString("position").substringAfter('-').toLong())
  }
  client.follow(topic)
  client.foreground()
  val sent = (10..39).map { "2026-02-19T01:20:$it.000Z" }
  Thread.sleep(3_000)
  for ((index, timestamp) in sent.withIndex()) {
    val detail = JSONObject().put("userId", 7).put("seatId", seat).put("status", "FAIL").put("timestamp", timestamp)
    conformance.publish(JSONArray().put(JSONObject().put("source", "ticket.reservation").put("detailType", "ReservationSettled").put("detail", detail)))
    if (index % 3 == 2) client.drop()
    // a page in the background holds no connection
    if (index == 15) client.background()
    if (index == 20) client.foreground()
    Thread.sleep(100)
  }
  val all = List(sent.size) { got.poll(20, TimeUnit.SECONDS) ?: ("missing" to 0L) }
  client.background()
  // the order is the log's: of two publishers, or of two requests, the second may be committed first
  check(all.map { it.first }.sorted() == sent && got.isEmpty()) { "expected every message once, got $all" }
  check(all.zipWithNext().all { (before, after) -> after.second == before.second + 1 }) { "expected the order of the log, got $all" }
}

class Conformance(private val url: String, private val key: String) {
  private val http = OkHttpClient.Builder().readTimeout(20, TimeUnit.SECONDS).build()
  private val values = mutableMapOf<String, Any>()
  private val inbox = LinkedBlockingQueue<JSONObject>()
  private var socket: WebSocket? = null

  fun run(script: File) {
    script.readLines().filter { it.isNotBlank() }.forEachIndexed { index, line ->
      try {
        step(JSONObject(line))
      } catch (error: Exception) {
        throw IllegalStateException("line ${index + 1}: ${error.message}", error)
      }
    }
    socket?.cancel()
  }

  private fun step(step: JSONObject) {
    step.optJSONObject("let")?.let { for (name in it.keySet()) values[name] = fresh(it.getString(name)) }
    if (step.has("connect")) connect(step.getString("connect"))
    step.optJSONObject("send")?.let { socket!!.send(filled(it).toString()) }
    step.optJSONArray("publish")?.let { publish(filled(it) as JSONArray) }
    if (step.has("get")) get(step)
    else step.optJSONObject("expect")?.let { check(next(), it) }
    if (step.has("cut")) socket!!.cancel()
  }

  private fun fresh(kind: String): Any =
    if (kind == "id") Random.nextInt(1, 1_000_000_000) else "K" + List(5) { "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".random() }.joinToString("")

  private fun connect(path: String) {
    inbox.clear()
    val opened = LinkedBlockingQueue<Boolean>()
    val mine = object : WebSocketListener() {
      override fun onOpen(webSocket: WebSocket, response: Response) { opened.add(true) }
      override fun onFailure(webSocket: WebSocket, error: Throwable, response: Response?) { opened.add(false) }
      override fun onMessage(webSocket: WebSocket, text: String) { if (webSocket === socket) inbox.add(JSONObject(text)) }
    }
    socket = http.newWebSocket(Request.Builder().url(url + path).build(), mine)
    check(opened.poll(20, TimeUnit.SECONDS) == true) { "no connection to $url$path" }
  }

  private fun next(): JSONObject {
    while (true) {
      val message = inbox.poll(20, TimeUnit.SECONDS) ?: error("no message came")
      when (message.optString("type")) {
        "ping" -> socket!!.send("{\"type\":\"pong\"}")
        "connected" -> Unit
        else -> return message
      }
    }
  }

  fun publish(events: JSONArray) {
    val body = JSONObject().put("lane", "direct").put("events", events).toString().toRequestBody("application/json".toMediaType())
    http.newCall(Request.Builder().url("$url/internal/events").header("x-api-key", key).post(body).build()).execute().use {
      check(it.code == 202 && JSONObject(it.body!!.string()).getInt("accepted") == events.length()) { "publishing answers ${it.code}" }
    }
  }

  /** Publishing is asynchronous: a read is repeated until it is as expected. */
  private fun get(step: JSONObject) {
    val request = Request.Builder().url(url + filled(step.getString("get")))
    step.optJSONObject("headers")?.let { for (name in it.keySet()) request.header(name, filled(it.getString(name)).toString()) }
    for (tries in 1..100) {
      try {
        http.newCall(request.build()).execute().use {
          check(it.code == step.optInt("status", 200)) { "GET answers ${it.code}" }
          check(JSONObject(it.body!!.string()), step.optJSONObject("expect") ?: JSONObject())
        }
        return
      } catch (error: IllegalStateException) {
        if (tries == 100) throw error
        Thread.sleep(50)
      }
    }
  }

  private fun filled(value: Any): Any = when (value) {
    is JSONObject -> JSONObject().also { for (name in value.keySet()) it.put(name, filled(value.get(name))) }
    is JSONArray -> JSONArray(value.map(::filled))
    is String -> Regex("^\\$(\\w+)$").find(value)?.let { known(it.groupValues[1]) } ?: Regex("\\$(\\w+)").replace(value) { known(it.groupValues[1]).toString() }
    else -> value
  }

  private fun known(name: String): Any = values[name] ?: error("the script has no value $name")

  private fun check(got: Any?, expected: Any, where: String = "message") {
    val fits = when {
      expected is String && expected.startsWith("=") -> got != null && values.put(expected.drop(1), got).let { true }
      expected == "*" -> got != null
      expected is JSONObject -> got is JSONObject && expected.keySet().all { check(got.opt(it), expected.get(it), "$where.$it"); true }
      expected is JSONArray -> got is JSONArray && got.length() == expected.length() && (0 until got.length()).all { check(got.get(it), expected.get(it), "$where.$it"); true }
      expected is Number -> got is Number && got.toDouble() == expected.toDouble()
      else -> got.toString() == filled(expected).toString()
    }
    check(fits) { "$where: expected $expected, got $got" }
  }
}
