using System.Numerics;
using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Ptx;

/// <content>
/// A start that does several calls. Its one parameter is a table of 64-bit words: the first block of each call, then the arguments of each.
/// <code>
/// at = 0 ; for step = 32, 16, .. 1:  if first[at + step] &lt;= block: at += step        about log2 of the calls, from the constant cache
/// task = block - first[at] ; arguments = row[at]
/// </code>
/// Blocks of one call differ in nothing but their number, so that no thread goes another way than its neighbours.
/// </content>
internal sealed partial class GpuBodyPrinter
{
    private string[]? _memberBuffers;
    private string[]? _memberNumbers;

    private int WordsOfCall(Kernel kernel) => kernel.Arguments.Count + _parameters.Count;

    private int WordsOfTable(Kernel kernel) => kernel.Members * (1 + WordsOfCall(kernel));

    private string TableType(Kernel kernel) => $"[{Number(WordsOfTable(kernel))} x i64]";

    private LlvmValue TaskOfMember(Kernel kernel, LlvmValue block)
    {
        _parameters.AddRange(KernelTextWriter.RunSymbols(kernel)); // all of them now: they are part of a call's words
        string table = TableType(kernel);
        string at = "0";
        for (uint step = BitOperations.RoundUpToPowerOf2((uint)kernel.Members) / 2; step > 0; step /= 2)
        {
            string next = Out.AddToEntry($"add nuw nsw i64 {at}, {Number((int)step)}");
            if (!BitOperations.IsPow2(kernel.Members))
            {
                string isThere = Out.AddToEntry($"icmp ult i64 {next}, {Number(kernel.Members)}");
                next = Out.AddToEntry($"select i1 {isThere}, i64 {next}, i64 {Number(kernel.Members - 1)}");
            }
            string isReached = Out.AddToEntry($"icmp ule i64 {WordAt(next)}, {block.Name}");
            at = Out.AddToEntry($"select i1 {isReached}, i64 {next}, i64 {at}");
        }
        string task = Out.AddToEntry($"sub nuw nsw i64 {block.Name}, {WordAt(at)}");
        string row = Out.AddToEntry($"mul nuw nsw i64 {at}, {Number(WordsOfCall(kernel))}");
        row = Out.AddToEntry($"add nuw nsw i64 {row}, {Number(kernel.Members)}");
        _memberBuffers = [.. Enumerable.Range(0, kernel.Arguments.Count).Select(i => WordAt(PlaceOf(i), "ptr addrspace(1)"))];
        _memberNumbers = [.. Enumerable.Range(kernel.Arguments.Count, _parameters.Count).Select(i => WordAt(PlaceOf(i)))];
        return new LlvmValue(task, KType.Index);

        string PlaceOf(int words) => words == 0 ? row : Out.AddToEntry($"add nuw nsw i64 {row}, {Number(words)}");

        string WordAt(string place, string type = "i64") => Out.AddToEntry(
            $"load {type}, ptr {Out.AddToEntry($"getelementptr inbounds {table}, ptr %table, i64 0, i64 {place}")}, align 8");
    }
}
