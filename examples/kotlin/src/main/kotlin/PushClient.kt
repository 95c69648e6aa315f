import java.util.concurrent.Executors
import java.util.concurrent.ScheduledFuture
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.Response
import okhttp3.WebSocket
import okhttp3.WebSocketListener
import org.json.JSONArray
import org.json.JSONObject

/**
 * Follows log topics and comes back by itself: copy it into an app. Everything runs on one thread, on which `onMessage` is
 * called too: each message once, in order.
 *
 * [background] closes the connection and keeps the positions; [foreground] goes on from there. `positions` may be stored: a
 * new process then goes on where the last one was.
 */
class PushClient(
  private val url: String,
  private val token: () -> String? = { null },
  private val onGap: (topic: String) -> Unit = {},
  private val onError: (error: JSONObject) -> Unit = {},
  private val onMessage: (topic: String, message: JSONObject) -> Unit,
) {
  /** Of each topic, the position up to which everything was handed over; null = it starts with what comes next. */
  val positions = sortedMapOf<String, String?>()

  private val http = OkHttpClient.Builder().readTimeout(0, TimeUnit.MILLISECONDS).build()
  private val thread = Executors.newSingleThreadScheduledExecutor { Thread(it, "push").apply { isDaemon = true } }
  private val topicOfEpoch = mutableMapOf<String, String>()
  private var socket: WebSocket? = null
  private var retry: ScheduledFuture<*>? = null
  private var failures = 0
  private var wanted = false

  /** Starts after `since`, or with what comes next. */
  fun follow(topic: String, since: String? = null) = run {
    positions.putIfAbsent(topic, since)
    socket?.let { subscribe(it, listOf(topic)) }
  }

  /** A cell that returns wakes many phones at once: each waits a moment of its own. */
  fun foreground() = run { if (!wanted) { wanted = true; later(500, 2_000) } }

  fun background() = run {
    wanted = false
    retry?.cancel(false)
    socket?.cancel()
    socket = null
  }

  /** As if the network had gone. */
  fun drop() = run { socket?.cancel() }

  private fun run(work: () -> Unit) { thread.execute(work) }

  private fun connect() {
    val request = Request.Builder().url(url.trimEnd('/') + "/ws")
    try {
      token()?.let { request.header("Authorization", "Bearer $it") }
    } catch (error: Exception) {
      return again()
    }
    val made = http.newWebSocket(request.build(), object : WebSocketListener() {
      override fun onOpen(webSocket: WebSocket, response: Response) = run { if (webSocket === socket) subscribe(webSocket, positions.keys.toList()) }
      override fun onMessage(webSocket: WebSocket, text: String) = run {
        // a frame may hold several messages, separated by line feeds
        if (webSocket === socket) text.split('\n').filter { it.isNotEmpty() }.forEach { serve(webSocket, JSONObject(it)) }
      }
      override fun onClosing(webSocket: WebSocket, code: Int, reason: String) { webSocket.cancel() }
      override fun onClosed(webSocket: WebSocket, code: Int, reason: String) = run { lost(webSocket) }
      override fun onFailure(webSocket: WebSocket, error: Throwable, response: Response?) = run { lost(webSocket) }
    })
    socket = made
  }

  /** Full jitter from the first try on: after an outage phones must not return together. */
  private fun lost(which: WebSocket) {
    if (which !== socket) return
    socket = null
    again()
  }

  private fun again() = later(500, minOf(20_000L, 2_000L shl minOf(failures++, 10)))

  private fun later(fromMs: Long, toMs: Long) {
    if (wanted) retry = thread.schedule({ if (wanted && socket == null) connect() }, Random.nextLong(fromMs, toMs), TimeUnit.MILLISECONDS)
  }

  private fun subscribe(to: WebSocket, topics: List<String>) {
    if (topics.isEmpty()) return
    val since = JSONObject()
    for (topic in topics) positions[topic]?.let { since.put(topic, it) }
    to.send(JSONObject().put("type", "subscribe").put("topics", JSONArray(topics)).put("since", since).toString())
  }

  private fun serve(from: WebSocket, message: JSONObject) {
    when (message.optString("type")) {
      // WebSocket's own pings are not passed on by every stack: the server sends one of its own
      "ping" -> from.send("{\"type\":\"pong\"}")
      "subscribed" -> {
        // a connection that only greets is no success
        failures = 0
        val topic = message.getString("topic")
        topicOfEpoch[message.getString("position").substringBefore('-')] = topic
        if (message.has("recovered") && !message.getBoolean("recovered")) {
          positions[topic] = message.optString("from", message.getString("position"))
          onGap(topic)
        }
        else if (positions[topic] == null) positions[topic] = message.optString("from", message.getString("position"))
      }
      "error" -> onError(message.getJSONObject("data"))
      else -> deliver(message)
    }
  }

  /** Drops what is not newer: after a fault a message may come twice. */
  private fun deliver(message: JSONObject) {
    val position = message.optString("position").ifEmpty { return }
    val topic = topicOfEpoch[position.substringBefore('-')] ?: return
    val last = positions[topic]
    val isNew = last == null || last.substringBefore('-') != position.substringBefore('-') ||
      position.substringAfter('-').toLong() > last.substringAfter('-').toLong()
    if (!isNew) return
    positions[topic] = position
    onMessage(topic, message)
  }
}
