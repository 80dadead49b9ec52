using System.Text.Json;

namespace Graphene.Runtime;

/// <summary>Writes what a profile recorded in the format of Chrome's trace viewer, which Perfetto reads, too.</summary>
/// <remarks>
/// A row of kernel calls, each with the ops that the kernel does and the lines of the user's code that they come from, over a row of
/// runs. Source: the Trace Event Format (complete events, times in microseconds).
/// </remarks>
public static class ChromeTrace
{
    private const int Process = 1;
    private const int RunsRow = 1;
    private const int KernelsRow = 2;

    /// <summary>Writes a file; open it in <c>chrome://tracing</c>.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="plan">The plan of the program that was profiled.</param>
    /// <param name="profile">A profile that recorded events.</param>
    public static void Write(string path, ExecutablePlan plan, KernelProfile profile)
    {
        using FileStream file = File.Create(path);
        Write(file, plan, profile);
    }

    /// <inheritdoc cref="Write(string, ExecutablePlan, KernelProfile)"/>
    /// <param name="stream">Where to.</param>
    /// <param name="plan">The plan of the program that was profiled.</param>
    /// <param name="profile">A profile that recorded events.</param>
    public static void Write(Stream stream, ExecutablePlan plan, KernelProfile profile)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ns");
        json.WriteStartArray("traceEvents");
        Name(json, "process_name", RunsRow, plan.Name);
        Name(json, "thread_name", RunsRow, "runs");
        Name(json, "thread_name", KernelsRow, "kernels");
        foreach (KernelEvent e in profile.Events)
        {
            KernelSpec kernel = plan.Kernels[e.Kernel];
            Begin(json, Title(kernel), KernelsRow, e.Start, e.Duration);
            json.WriteStartObject("args");
            json.WriteString("kernel", kernel.Name);
            json.WriteString("source", kernel.Source);
            json.WriteString("flops", kernel.Flops.ToString());
            json.WriteString("bytes", kernel.Bytes.ToString());
            json.WriteEndObject();
            json.WriteEndObject();
        }
        foreach ((TimeSpan start, TimeSpan duration) in Runs(profile))
        {
            Begin(json, $"run {plan.Name}", RunsRow, start, duration);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    // From the first kernel of a run to its last.
    private static IEnumerable<(TimeSpan Start, TimeSpan Duration)> Runs(KernelProfile profile)
    {
        IReadOnlyList<KernelEvent> events = profile.Events;
        for (int begin = 0; begin < events.Count;)
        {
            int end = begin + 1;
            while (end < events.Count && events[end].Run == events[begin].Run)
            {
                end++;
            }
            KernelEvent last = events[end - 1];
            yield return (events[begin].Start, last.Start + last.Duration - events[begin].Start);
            begin = end;
        }
    }

    // The ops without the places.
    private static string Title(KernelSpec kernel) => kernel.Source.Split(" (", 2)[0];

    private static void Begin(Utf8JsonWriter json, string name, int row, TimeSpan start, TimeSpan duration)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("ph", "X");
        json.WriteNumber("pid", Process);
        json.WriteNumber("tid", row);
        json.WriteNumber("ts", start.TotalMicroseconds);
        json.WriteNumber("dur", duration.TotalMicroseconds);
    }

    private static void Name(Utf8JsonWriter json, string what, int row, string name)
    {
        json.WriteStartObject();
        json.WriteString("name", what);
        json.WriteString("ph", "M");
        json.WriteNumber("pid", Process);
        json.WriteNumber("tid", row);
        json.WriteStartObject("args");
        json.WriteString("name", name);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
