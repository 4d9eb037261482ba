package io.keystile.store.jdbc;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a driver and its server, knows where a message ends, and cuts the connection there
 * when told to. For one connection at a time.
 */
final class CuttingProxy implements AutoCloseable {
  private static final long LONGEST_END = TimeUnit.SECONDS.toMillis(30);

  /** How messages are told from each other. */
  enum Protocol {
    /** A type of one byte, which the first message of a client lacks, and a length of four. */
    POSTGRESQL {
      @Override
      void copy(DataInputStream in, boolean first, ByteArrayOutputStream message)
          throws IOException {
        if (!first) {
          message.write(in.readByte());
        }
        int length = in.readInt();
        for (int shift = 24; shift >= 0; shift -= 8) {
          message.write(length >>> shift);
        }
        message.write(in.readNBytes(length - Integer.BYTES));
      }
    },
    /** A length of three bytes, the lowest first, and a number of one. */
    MARIADB {
      @Override
      void copy(DataInputStream in, boolean first, ByteArrayOutputStream message)
          throws IOException {
        int length = 0;
        for (int shift = 0; shift < 24; shift += 8) {
          int part = in.readUnsignedByte();
          message.write(part);
          length |= part << shift;
        }
        message.write(in.readByte());
        message.write(in.readNBytes(length));
      }
    };

    abstract void copy(DataInputStream in, boolean first, ByteArrayOutputStream message)
        throws IOException;

    /** The next message, or null at the end. */
    byte @Nullable [] read(DataInputStream in, boolean first) throws IOException {
      ByteArrayOutputStream message = new ByteArrayOutputStream();
      try {
        copy(in, first, message);
        return message.toByteArray();
      } catch (EOFException e) {
        return null;
      }
    }
  }

  /** Where a message goes. */
  enum Direction {
    TO_SERVER,
    TO_CLIENT
  }

  /**
   * Where to cut.
   *
   * @param message its number in its direction, from 1
   * @param delivered whether it still arrives
   */
  record Cut(Direction direction, int message, boolean delivered) {}

  private final Protocol protocol;
  private final int serverPort;
  private final ServerSocket door;
  private final List<Thread> pumps = new ArrayList<>();
  private final int[] messages = new int[Direction.values().length];
  private @Nullable Cut cut;
  private boolean isArmed;
  private boolean isCut;

  CuttingProxy(Protocol protocol, int serverPort) {
    this.protocol = protocol;
    this.serverPort = serverPort;
    try {
      door = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    start("door", this::accept);
  }

  int port() {
    return door.getLocalPort();
  }

  /** Counts messages from now on, and cuts, null never; for the connection there is. */
  synchronized void arm(@Nullable Cut cut) {
    messages[0] = 0;
    messages[1] = 0;
    isCut = false;
    isArmed = true;
    this.cut = cut;
  }

  /** Neither counts nor cuts any more. */
  synchronized void disarm() {
    isArmed = false;
  }

  synchronized int messages(Direction direction) {
    return messages[direction.ordinal()];
  }

  synchronized boolean isCut() {
    return isCut;
  }

  /** Waits until the server has ended the session: what it was told, it has done. */
  void awaitEnd() throws InterruptedException {
    List<Thread> running;
    synchronized (this) {
      running = List.copyOf(pumps);
      pumps.clear();
    }
    for (Thread pump : running) {
      pump.join(LONGEST_END);
      if (pump.isAlive()) {
        throw new AssertionError("the server does not end the session");
      }
    }
  }

  @Override
  public void close() {
    shut(door);
  }

  private void accept() throws IOException {
    while (!door.isClosed()) {
      Socket client = door.accept();
      Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
      synchronized (this) {
        disarm();
        isCut = false;
        pumps.add(start("to server", () -> pump(Direction.TO_SERVER, client, server)));
        pumps.add(start("to client", () -> pump(Direction.TO_CLIENT, server, client)));
      }
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static Thread start(String name, Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException e) {
                // the other end is gone, which is what this is about
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  /** After a cut the server is heard to its end, but nobody is told what it says. */
  private void pump(Direction direction, Socket from, Socket to) throws IOException {
    boolean toServer = direction == Direction.TO_SERVER;
    try {
      DataInputStream in = new DataInputStream(from.getInputStream());
      OutputStream out = to.getOutputStream();
      boolean first = toServer;
      for (byte[] message = protocol.read(in, first);
          message != null;
          message = protocol.read(in, first)) {
        first = false;
        if (!pass(direction, message, out)) {
          shut(toServer ? from : to);
        }
      }
    } finally {
      if (toServer) {
        to.shutdownOutput();
      } else {
        shut(to);
        shut(from);
      }
    }
  }

  /** Returns whether the client is still to be heard and to be told. */
  private synchronized boolean pass(Direction direction, byte[] message, OutputStream out)
      throws IOException {
    if (isCut) {
      return false;
    }
    boolean here = false;
    if (isArmed) {
      int number = ++messages[direction.ordinal()];
      here = cut != null && cut.direction() == direction && cut.message() == number;
    }
    isCut = here;
    if (!here || cut.delivered()) {
      try {
        out.write(message);
      } catch (IOException e) {
        if (direction == Direction.TO_SERVER) {
          throw e;
        }
        // the server is heard also when the client is gone
      }
    }
    return !isCut;
  }

  private static void shut(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      // it is closed
    }
  }
}
