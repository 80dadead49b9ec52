using System.Runtime.InteropServices;
using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>Kernels as text that copy boxes, run by the interpreter.</summary>
internal static class BulkKernel
{
    /// <summary>What stands before a body that makes y of boxes of x: the map is m, the task b and the thread t.</summary>
    public static string Head(string element, string map, int tasks, int threads) =>
        $"""
        argument 0 x: {element} readonly
        argument 1 y: {element}
        map m of x: {map}
        task b of {tasks}
        threads t of {threads}
        """;

    /// <summary>A kernel of the body, with what stands before it.</summary>
    public static Kernel Of(string head, string body)
    {
        string text = $"kernel \"boxes\" flops=0 bytes=0\n{head}\n{{\n{WithoutRemarks(body)}\n}}";
        Kernel kernel = KernelParser.Parse(text);
        KernelVerifier.Verify(kernel);
        return kernel;
    }

    /// <summary>Runs a kernel whose last argument is its result.</summary>
    public static T[] Run<T>(Kernel kernel, int results, params byte[][] arguments)
        where T : unmanaged
    {
        var result = new byte[results * Marshal.SizeOf<T>()];
        new KernelInterpreter(kernel, [.. arguments.Select(a => new Memory<byte>(a)), result]).Run();
        return MemoryMarshal.Cast<byte, T>(result).ToArray();
    }

    /// <summary>Numbers as bytes.</summary>
    public static byte[] Bytes<T>(IEnumerable<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes(values.ToArray().AsSpan()).ToArray();

    /// <summary>
    /// Where an element of a swizzled line of 128 bytes lies in it: its piece of 16 bytes is exchanged
    /// by the line's number.
    /// </summary>
    public static int Swizzled(int line, int element, int elementBytes)
    {
        int piece = 16 / elementBytes;
        return ((element / piece) ^ (line % 8)) * piece + (element % piece);
    }

    /// <summary>A case of a body in which a mistake was made.</summary>
    public static TestCaseData Plant(string name, string body, string part, string replacement, params string[] messages)
    {
        Assert.That(body, Does.Contain(part));
        return new TestCaseData(body.Replace(part, replacement, StringComparison.Ordinal), messages).SetArgDisplayNames(name);
    }

    /// <summary>What the parser or the interpreter says of a kernel that it refuses.</summary>
    public static string Refusal(Action run)
    {
        try
        {
            run();
        }
        catch (GraphException e)
        {
            return e.Message;
        }
        catch (CompilerBugException e)
        {
            return e.Message;
        }
        Assert.Fail("nothing was refused");
        return "";
    }

    private static string WithoutRemarks(string body) => string.Join('\n', body.Split('\n').Select(l => l.Split(" //")[0]));
}
