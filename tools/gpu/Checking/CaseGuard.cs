using System.Diagnostics;

namespace Graphene.GpuCheck;

/// <summary>
/// Notes that a case begins, and ends the process when it takes too long: a kernel that never ends cannot
/// be called off otherwise.
/// </summary>
internal sealed class CaseGuard : IDisposable
{
    private readonly Timer _timer;

    /// <summary>Begins a case.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="seconds">How long it may take.</param>
    /// <param name="results">Where its outcome goes.</param>
    public CaseGuard(string name, int seconds, ResultFile results)
    {
        results.Begin(name);
        _timer = new Timer(
            _ =>
            {
                results.Add(name, ResultFile.Failure, $"it had not ended after {seconds} s");
                using Process own = Process.GetCurrentProcess();
                own.Kill(); // an orderly end would wait for the device
            },
            null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();
}
