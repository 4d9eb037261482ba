package planted.leak;

/** What the root must not know. */
public final class PlantedLeak {}
