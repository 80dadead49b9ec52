using System.Diagnostics;

namespace Graphene.Cli.Conformance;

/// <summary>
/// A process that runs cases one after another. Generated code can crash a process or never return; a case that does is
/// reported, its process replaced, and the other cases go on.
/// </summary>
internal sealed class CaseWorker(IReadOnlyList<string> arguments, TimeSpan limit) : IDisposable
{
    private Process? _process;

    /// <summary>Runs a case in this worker's process.</summary>
    public CaseOutcome Run(string folder)
    {
        Process process = _process ??= Start();
        try
        {
            process.StandardInput.WriteLine(folder);
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            return Died(process);
        }

        Task<string?> answer = process.StandardOutput.ReadLineAsync();
        if (!answer.Wait(limit))
        {
            Stop();
            return CaseOutcome.Failed($"no answer within {limit.TotalSeconds:F0} s");
        }
        return answer.Result is null ? Died(process) : CaseOutcome.TryParse(answer.Result) ?? Garbled(answer.Result);
    }

    /// <summary>The other side: reads folders from the input and writes an outcome for each, until the input ends.</summary>
    public static void Serve(TextReader input, TextWriter output, Func<string, CaseOutcome> run)
    {
        while (input.ReadLine() is { } folder)
        {
            output.WriteLine(run(folder).ToLine());
            output.Flush();
        }
    }

    /// <summary>Ends the process.</summary>
    public void Dispose() => Stop();

    private Process Start()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath ?? "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
        {
            start.ArgumentList.Add(typeof(CaseWorker).Assembly.Location);
        }
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        Process process = Process.Start(start) ?? throw new InvalidOperationException("a worker process does not start");
        process.ErrorDataReceived += (_, _) => { }; // read, so that a talkative worker never blocks on a full pipe
        process.BeginErrorReadLine();
        return process;
    }

    private CaseOutcome Died(Process process)
    {
        string how = process.WaitForExit(2000) ? $"exit status {process.ExitCode}" : "its output ended";
        Stop();
        return CaseOutcome.Failed($"the process died ({how})");
    }

    private CaseOutcome Garbled(string line)
    {
        Stop();
        return CaseOutcome.Failed($"the worker answered '{line}'");
    }

    private void Stop()
    {
        if (_process is not { } process)
        {
            return;
        }
        _process = null;
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }
        process.Dispose();
    }
}
