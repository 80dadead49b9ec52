using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Graphene.Train;

/// <summary>Shows the course of a training: a bar that is drawn again and again on a terminal, a line for each epoch elsewhere.</summary>
/// <param name="writer">Where to write.</param>
/// <param name="isTerminal">Whether lines can be drawn over; found out when null.</param>
public sealed class ProgressBar(TextWriter writer, bool? isTerminal = null) : Callback
{
    private const int Width = 24;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly bool _draws = isTerminal ?? (ReferenceEquals(writer, Console.Out) && !Console.IsOutputRedirected);
    private readonly Stopwatch _clock = new();
    private TimeSpan _lastDrawn;
    private int _lineLength;

    /// <inheritdoc/>
    public override void OnEpochBegin(TrainingRun run, int epoch)
    {
        _clock.Restart();
        _lastDrawn = TimeSpan.Zero;
        if (_draws)
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"epoch {epoch + 1}/{run.Epochs}"));
        }
    }

    /// <inheritdoc/>
    public override void OnBatchEnd(TrainingRun run, BatchProgress progress)
    {
        if (!_draws || _clock.Elapsed - _lastDrawn < Interval)
        {
            return;
        }
        _lastDrawn = _clock.Elapsed;
        int done = progress.Batch + 1;
        string bar = run.BatchCount is { } count
            ? string.Create(CultureInfo.InvariantCulture, $"{done,6}/{count} [{Bar(done, count)}] {Left(done, count)}")
            : string.Create(CultureInfo.InvariantCulture, $"{done,6}");
        Draw($"{bar}  {Numbers(progress.Numbers)}");
    }

    /// <inheritdoc/>
    public override void OnEpochEnd(TrainingRun run, int epoch, IReadOnlyDictionary<string, double> numbers)
    {
        string seconds = _clock.Elapsed.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture);
        if (_draws)
        {
            Draw($"{seconds,6} s  {Numbers(numbers)}");
            writer.WriteLine();
            _lineLength = 0;
        }
        else
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"epoch {epoch + 1}/{run.Epochs}  {seconds} s  {Numbers(numbers)}"));
        }
    }

    private void Draw(string line)
    {
        writer.Write($"\r{line.PadRight(_lineLength)}");
        _lineLength = line.Length;
    }

    private string Left(int done, long count)
    {
        double seconds = _clock.Elapsed.TotalSeconds / done * (count - done);
        return string.Create(CultureInfo.InvariantCulture, $"{seconds,4:F0} s left");
    }

    private static string Bar(int done, long count)
    {
        int filled = (int)(Width * Math.Min(done, count) / count);
        return new string('=', filled) + new string('.', Width - filled);
    }

    private static string Numbers(IReadOnlyDictionary<string, double> numbers)
    {
        var text = new StringBuilder();
        foreach ((string name, double value) in numbers)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? "  " : "")}{name} {value:G4}");
        }
        return text.ToString();
    }
}
