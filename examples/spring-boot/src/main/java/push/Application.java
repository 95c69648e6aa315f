package push;

import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;

@SpringBootApplication
public class Application {
  public static void main(String[] arguments) {
    SpringApplication.run(Application.class, arguments);
  }

  /** Region, credentials and address come from the environment: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL. */
  @Bean
  EventBridgeClient bus() {
    return EventBridgeClient.create();
  }

  /** Publishes one event and ends: `--user=100 --seat=55`. A service of yours calls the publisher where a reservation ends. */
  @Bean
  CommandLineRunner publishOne(ReservationPublisher publisher, org.springframework.core.env.Environment options) {
    return arguments -> {
      publisher.settled(options.getProperty("user", Long.class, 100L), options.getProperty("seat", Long.class, 55L), true);
      System.out.println("published");
    };
  }
}
