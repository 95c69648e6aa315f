package push;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Instant;
import java.util.List;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;
import software.amazon.awssdk.services.eventbridge.model.PutEventsRequestEntry;
import software.amazon.awssdk.services.eventbridge.model.PutEventsResultEntry;

/** Publishes the results of reservations: each reaches its buyer, now or when the buyer comes back. */
@Component
public class ReservationPublisher {
  private static final int TRIES = 3;

  /** The detail of `ReservationSettled`. Fields that are null count as left out. */
  public record ReservationSettled(long userId, long seatId, String status, Instant timestamp) {}

  private final EventBridgeClient bus;
  private final ObjectMapper json;
  private final String busName;

  public ReservationPublisher(EventBridgeClient bus, ObjectMapper json, @Value("${push.bus}") String busName) {
    this.bus = bus;
    this.json = json;
    this.busName = busName;
  }

  public void settled(long userId, long seatId, boolean succeeded) {
    put("ticket.reservation", "ReservationSettled", new ReservationSettled(userId, seatId, succeeded ? "SUCCESS" : "FAIL", Instant.now()));
  }

  /** A call may succeed although the entry failed: the entry is then put again. */
  private void put(String source, String detailType, Object detail) {
    PutEventsRequestEntry entry =
        PutEventsRequestEntry.builder().eventBusName(busName).source(source).detailType(detailType).detail(write(detail)).build();
    for (int tried = 1; ; tried++) {
      List<PutEventsResultEntry> results = bus.putEvents(request -> request.entries(entry)).entries();
      if (results.stream().allMatch(result -> result.errorCode() == null)) return;
      if (tried == TRIES) throw new IllegalStateException("not published: " + results.get(0).errorMessage());
    }
  }

  private String write(Object detail) {
    try {
      return json.writeValueAsString(detail);
    } catch (JsonProcessingException error) {
      throw new IllegalArgumentException(error);
    }
  }
}
