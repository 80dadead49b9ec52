using System.Diagnostics;

namespace Graphene.Bench;

/// <summary>Something compiled and bound to its inputs that can be run again and again.</summary>
internal interface ITimedRun : IDisposable
{
    /// <summary>Runs once.</summary>
    void Run();

    /// <summary>Goes back to where the first run began; called before each turn.</summary>
    void Restart()
    {
    }
}

/// <summary>Takes the time of runs.</summary>
internal static class TimedRuns
{
    private const double WarmUpSeconds = 0.1;

    /// <summary>The seconds of single runs for about so long, after a warm-up.</summary>
    public static IReadOnlyList<double> Times(this ITimedRun run, double seconds)
    {
        run.Restart();
        Repeat(run, Math.Min(WarmUpSeconds, seconds), _ => { });
        var times = new List<double>();
        Repeat(run, seconds, times.Add);
        return times;
    }

    /// <summary>The seconds of a run, over as many as begin within so long a slice of time.</summary>
    public static double MeanSeconds(this ITimedRun run, double seconds)
    {
        long start = Stopwatch.GetTimestamp();
        int runs = 0;
        do
        {
            run.Run();
            runs++;
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / runs;
    }

    private static void Repeat(ITimedRun run, double seconds, Action<double> note)
    {
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        do
        {
            long start = Stopwatch.GetTimestamp();
            run.Run();
            note(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        while (Stopwatch.GetTimestamp() < end);
    }
}
