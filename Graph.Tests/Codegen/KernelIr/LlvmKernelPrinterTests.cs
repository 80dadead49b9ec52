using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Kernels become functions that LLVM compiles and that do what they say.</summary>
internal sealed class LlvmKernelPrinterTests
{
    [Test]
    public void TasksSymbolsAndLoopsAreBound()
    {
        var rows = new DimSymbol("rows");
        var columns = new DimSymbol("columns");
        KBuffer x = KBuffer.ForArgument("x", DType.F32, 0, isReadOnly: true);
        KBuffer y = KBuffer.ForArgument("y", DType.F32, 1, isReadOnly: false);
        var task = new KVariable("row", KType.Index);
        var b = new KBuilder();
        KRegister sum = b.Declare("sum", new KConstant(Scalar.Zero(DType.F32), 1));
        KExpr first = KBuilder.Multiply(task, new KSymbol(columns));
        b.For("i", 0, new KSymbol(columns), 1, i =>
            b.Assign(sum, KBuilder.Add(new KRead(sum), new KLoad(x, KBuilder.Add(first, i)))), unroll: 4);
        b.Store(y, task, new KRead(sum));
        var kernel = new Kernel("sum rows", [x, y], task, new KSymbol(rows), b.ToBlock(), default);

        float[] input = [.. Enumerable.Range(0, 7 * 13).Select(i => (float)i)];
        byte[][] buffers = [MemoryMarshal.AsBytes<float>(input).ToArray(), new byte[4 * 7]];
        using var compiled = new CompiledKernel(kernel, null, rows, columns);
        compiled.Run(2, 7, buffers, 7, 13);

        float[] sums = MemoryMarshal.Cast<byte, float>(buffers[1]).ToArray();
        Assert.That(sums[..2], Is.All.Zero, "tasks before the first are not run");
        for (int row = 2; row < 7; row++)
        {
            Assert.That(sums[row], Is.EqualTo(input.Skip(13 * row).Take(13).Sum()), $"row {row}");
        }
    }

    [Test]
    public void NamesAreNotPartOfTheStructure()
    {
        var printer = new LlvmKernelPrinter(LlvmTarget.X64V3, _ => 0);

        string a = printer.PrintBody(Doubled("a", "x"));
        string b = printer.PrintBody(Doubled("b", "z"));

        Assert.That(b, Is.EqualTo(a));
        Assert.That(printer.Print(Doubled("a", "x")), Does.StartWith("define void @\"a\"(ptr"));

        static Kernel Doubled(string name, string variable)
        {
            KBuffer x = KBuffer.ForArgument(variable, DType.F32, 0, isReadOnly: false);
            var task = new KVariable(variable, KType.Index);
            var b = new KBuilder();
            KExpr value = b.Let(variable, new KLoad(x, task));
            b.Store(x, task, KBuilder.Add(value, value));
            return new Kernel(name, [x], task, 8, b.ToBlock(), default);
        }
    }
}
