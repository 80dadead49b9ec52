using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>The processors whose object code can be linked; the values are those of <c>e_machine</c>.</summary>
internal enum ElfMachine : ushort
{
    X64 = 62,
    Arm64 = 183,
}

/// <summary>Names of processors, and which one this is.</summary>
internal static class ElfMachines
{
    /// <summary>The processor of this process, or null if its code cannot be linked.</summary>
    public static ElfMachine? Host => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => ElfMachine.X64,
        Architecture.Arm64 => ElfMachine.Arm64,
        _ => null,
    };

    public static string Name(ushort machine) => (ElfMachine)machine switch
    {
        ElfMachine.X64 => "x86-64",
        ElfMachine.Arm64 => "64-bit ARM",
        _ => $"machine number {machine}",
    };
}
