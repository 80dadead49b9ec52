using System.Diagnostics;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>
/// How programs for a kind of machine are linked and run here: a C compiler, and an emulator unless they
/// run as they are.
/// </summary>
/// <param name="Compiler">A C compiler for the machine.</param>
/// <param name="Emulator">The emulator and its arguments; empty for this machine.</param>
internal sealed record ForeignMachine(string Compiler, string[] Emulator)
{
    /// <summary>The machine of a target; skips the running test where tools are missing, or instructions.</summary>
    public static ForeignMachine Require(LlvmTarget target)
    {
        ForeignMachine machine = target.Architecture switch
        {
            LlvmArchitecture.X64 => new("gcc", []),
            LlvmArchitecture.Arm64 => new("aarch64-linux-gnu-gcc", ["qemu-aarch64"]),
            LlvmArchitecture.RiscV64 when target.HasFeature("v") =>
                new("riscv64-linux-gnu-gcc", ["qemu-riscv64", "-cpu", "rv64,v=true,vext_spec=v1.0,vlen=128"]),
            LlvmArchitecture.Arm32 => new("arm-linux-gnueabihf-gcc", ["qemu-arm"]),
            LlvmArchitecture.RiscV64 => new("riscv64-linux-gnu-gcc", ["qemu-riscv64"]),
            var other => throw new ArgumentException($"no program is linked for {other}", nameof(target)),
        };
        foreach (string tool in machine.Emulator.Take(1).Prepend(machine.Compiler))
        {
            if (!IsInPath(tool))
            {
                Assert.Ignore($"{tool} is not installed");
            }
        }
        if (machine.Emulator.Length == 0)
        {
            if (LlvmTarget.Host().Architecture != target.Architecture || !OperatingSystem.IsLinux())
            {
                Assert.Ignore($"programs for {target.Triple} run on such machines alone");
            }
            if (HostProcessor.MissingFeatures(target.RequiredFeatures) is { Count: > 0 } missing)
            {
                Assert.Ignore($"this processor lacks {string.Join(", ", missing)}");
            }
        }
        return machine;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it wrote.</returns>
    public static string Run(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, $"{program} {string.Join(' ', start.ArgumentList)}\n{errors.Result}");
        return output;
    }

    private static bool IsInPath(string tool) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Any(folder => File.Exists(Path.Combine(folder, tool)));
}
